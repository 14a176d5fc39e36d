/** The least and the most milliseconds between two looks at the timers. */
export const shortestWait = 10
export const longestWait = 100

/** How many timers one look should find due: what they do keeps everything else waiting. */
const portion = 32

/** How long to wait until the next look, in milliseconds, after one that found `fired` timers due within `waited`. */
export const nextWait = (fired: number, waited: number): number =>
  fired === 0 ? longestWait : Math.min(longestWait, Math.max(shortestWait, Math.round((waited * portion) / fired)))
