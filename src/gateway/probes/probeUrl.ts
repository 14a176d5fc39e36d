/** The URL that a check asks: the path of the check behind the base path of the target. http and https, also for ws and wss. */
export const probeUrl = (target: URL, path: string): URL => {
  const query = path.indexOf("?")
  const base = target.pathname.replace(/\/+$/, "")
  const origin = `${/^(?:https|wss):$/.test(target.protocol) ? "https" : "http"}://${target.host}`
  const url = new URL(origin)
  url.pathname = base + (query === -1 ? path : path.slice(0, query))
  url.search = query === -1 ? "" : path.slice(query)
  return url
}
