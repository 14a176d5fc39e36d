/** Which connections a user has. A user with one connection, the common case, costs one map entry. */
export class Users<C> {
  private readonly byUser = new Map<string, C | Set<C>>()
  private readonly isConnection: (value: C | Set<C>) => value is C

  constructor(isConnection: (value: C | Set<C>) => value is C) {
    this.isConnection = isConnection
  }

  get size(): number {
    return this.byUser.size
  }

  add(user: string, connection: C): void {
    const present = this.byUser.get(user)
    if (present === undefined) this.byUser.set(user, connection)
    else if (this.isConnection(present)) this.byUser.set(user, new Set([present, connection]))
    else present.add(connection)
  }

  remove(user: string, connection: C): void {
    const present = this.byUser.get(user)
    if (present === connection) this.byUser.delete(user)
    else if (present !== undefined && !this.isConnection(present)) {
      present.delete(connection)
      if (present.size === 0) this.byUser.delete(user)
    }
  }

  of(user: string): ReadonlyArray<C> {
    const present = this.byUser.get(user)
    if (present === undefined) return []
    return this.isConnection(present) ? [present] : Array.from(present)
  }

  *counts(): Generator<readonly [user: string, connections: number]> {
    for (const [user, present] of this.byUser) yield [user, this.isConnection(present) ? 1 : present.size]
  }
}
