const utf8 = new TextEncoder()

// Room names end up in topics, subjects and log lines. C0, DEL and C1.
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f]/

/** Names that begin so are users' own rooms, which only the server joins. */
const userPrefix = "@"

export const userRoom = (user: string): string => userPrefix + user

export const isUserRoom = (room: string): boolean => room.startsWith(userPrefix)

/** What is wrong with a room name, or nothing. `limit` in bytes of UTF-8. */
export const roomNameProblem = (room: string, roomLimit: number): string | undefined => {
  // The prefix comes on top: a user's name may be as long as a room's.
  const limit = isUserRoom(room) ? roomLimit + userPrefix.length : roomLimit
  if (room.length === 0) return "a room name must not be empty"
  if (room.length * 3 > limit && utf8.encode(room).length > limit) return `a room name has at most ${limit} bytes`
  if (control.test(room)) return "a room name must not hold control characters"
  if (!room.isWellFormed()) return "a room name must be well-formed Unicode"
  return undefined
}
