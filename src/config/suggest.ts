/** "Did you mean": the nearest of a few known names. */

/** The number of single edits (insert, delete, replace, swap of neighbours) that turn one text into the other. */
export const editDistance = (from: string, to: string): number => {
  let before: Array<number> = []
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let cost = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + (same ? 0 : 1))
      if (row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1])
        cost = Math.min(cost, before[column - 2]! + 1)
      current.push(cost)
    }
    before = previous
    previous = current
  }
  return previous[to.length]!
}

/** The known name closest to `name`, when a slip of the keys explains the difference; undefined otherwise. */
export const suggest = (name: string, known: Iterable<string>): string | undefined => {
  if (name.length > 64) return undefined
  const allowed = Math.max(1, Math.floor(name.length / 3))
  let best: string | undefined
  let bestDistance = allowed + 1
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}
