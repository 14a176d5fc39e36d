/** How many rooms are told apart; messages of further rooms are counted together. */
const maxRooms = 128

/** Messages that had to be skipped for one connection, by room. */
export class DroppedCount {
  private readonly byRoom = new Map<string | undefined, number>()

  add(room: string | undefined): void {
    const key = room !== undefined && !this.byRoom.has(room) && this.byRoom.size >= maxRooms ? undefined : room
    this.byRoom.set(key, (this.byRoom.get(key) ?? 0) + 1)
  }

  counts(): Iterable<readonly [room: string | undefined, count: number]> {
    return this.byRoom
  }
}
