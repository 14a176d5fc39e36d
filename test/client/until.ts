/** Resolves as soon as `condition` gives something else than undefined and false. The test's own limit ends a wait that is in vain. */
export const until = async <A>(condition: () => A | undefined | false): Promise<A> => {
  for (;;) {
    const found = condition()
    if (found !== undefined && found !== false) return found
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
