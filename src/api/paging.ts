export interface Page<A> {
  readonly items: ReadonlyArray<A>
  /** Where the next page begins; absent on the last one. */
  readonly next?: string
}

/**
 * `limit` items after the one named `after`, in the order of their names (by code unit). Names are unique. An item that has
 * gone meanwhile does no harm: its name still marks the place.
 */
export const pageOf = <A>(
  items: ReadonlyArray<A>,
  nameOf: (item: A) => string,
  { after, limit }: { readonly after?: string; readonly limit: number }
): Page<A> => {
  const rest = after === undefined ? [...items] : items.filter((item) => nameOf(item) > after)
  rest.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
  const page = rest.slice(0, limit)
  const last = page.at(-1)
  return rest.length > limit && last !== undefined ? { items: page, next: nameOf(last) } : { items: page }
}
