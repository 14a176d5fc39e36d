import { findProgram } from "./find.ts"
import { type Child, type Finished, run, startProcess, type StartOptions } from "./process.ts"

let python: Promise<string> | undefined

/** A Python 3 that has the modules `websockets` and `msgpack`: PYTHON_BIN, else Debian's, else the first in PATH. Fails with one line that says what to install. */
export const findPython = (): Promise<string> => (python ??= search())

const search = async (): Promise<string> => {
  const named = process.env["PYTHON_BIN"]
  const candidates =
    named === undefined || named === "" ? ["/usr/bin/python3", findProgram("PYTHON_BIN", "python3")] : [findProgram("PYTHON_BIN")]
  for (const candidate of candidates) {
    if (candidate === undefined) continue
    const tried = await run(candidate, ["-c", "import websockets, msgpack"]).catch(() => undefined)
    if (tried?.code === 0) return candidate
  }
  throw new Error(
    "tests need Python 3 with its modules: apt-get install python3-websockets python3-msgpack, or name an interpreter in PYTHON_BIN"
  )
}

/** Runs a Python program (its text) to its end. */
export const runPython = async (
  program: string,
  args: ReadonlyArray<string> = [],
  options: Parameters<typeof run>[2] = {}
): Promise<Finished> => run(await findPython(), ["-u", "-c", program, ...args], options)

/** Starts a Python program (its text) and leaves it running. */
export const startPython = async (program: string, args: ReadonlyArray<string> = [], options: StartOptions = {}): Promise<Child> =>
  startProcess(await findPython(), ["-u", "-c", program, ...args], options)
