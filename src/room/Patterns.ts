/**
 * Room patterns: a `*` stands for any run of characters, also for none; everything else for itself. Matching takes time
 * linear in the name for each part between stars, without backtracking.
 */
export const compilePattern = (pattern: string): ((name: string) => boolean) => {
  const parts = pattern.split("*")
  const first = parts[0] ?? ""
  if (parts.length === 1) return (name) => name === pattern
  const last = parts[parts.length - 1] ?? ""
  const middle = parts.slice(1, -1).filter((part) => part !== "")
  return (name) => {
    if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
    let at = first.length
    const end = name.length - last.length
    for (const part of middle) {
      const found = name.indexOf(part, at)
      if (found === -1 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}

/** Whether any of the patterns matches. */
export const compilePatterns = (patterns: ReadonlyArray<string>): ((name: string) => boolean) => {
  const matchers = patterns.map(compilePattern)
  return (name) => matchers.some((matches) => matches(name))
}
