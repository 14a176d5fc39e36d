/** How long a condition may take before a test gives up on it, unless it says otherwise. Not an expectation of speed. */
const patience = 40_000
const pause = 15

/** Resolves after at least `ms` milliseconds. For polling; a test itself waits for conditions. */
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Asks again until `condition` gives something that is neither `undefined` nor `false`, without throwing, and returns that.
 * After `timeout` milliseconds it fails with `message`, what the condition gave or threw last, and how long it waited. */
export const eventually = async <A>(
  condition: () => A | Promise<A>,
  options: { readonly timeout?: number; readonly message?: string | (() => string) } = {}
): Promise<Exclude<A, undefined | false>> => {
  const { timeout = patience, message = "the condition did not come true" } = options
  const start = performance.now()
  let last: string
  do {
    try {
      const value = await condition()
      if (holds(value)) return value
      last = `it gave ${String(value)}`
    } catch (cause) {
      last = cause instanceof Error ? cause.message : String(cause)
    }
    await sleep(pause)
  } while (performance.now() - start < timeout)
  throw new Error(`${typeof message === "string" ? message : message()} within ${timeout} ms: ${last}`)
}

const holds = <A>(value: A): value is Exclude<A, undefined | false> => value !== undefined && value !== false

/** The value of `promise`, or an error with `message` when it takes longer than `timeout` milliseconds. */
export const within = async <A>(promise: Promise<A>, message: string | (() => string), timeout: number = patience): Promise<A> => {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    const fail = (): void => reject(new Error(`${typeof message === "string" ? message : message()} within ${timeout} ms`))
    timer = setTimeout(fail, timeout)
  })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}
