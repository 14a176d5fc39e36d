import { Effect, type Fiber } from "effect"
import { supervise } from "../actor/Supervisor.ts"
import { builtInRoom, type RoomBlock } from "../config/Settings.ts"
import { compilePattern } from "./Patterns.ts"
import { Room, type RoomContext } from "./Room.ts"

export interface RoomsContext extends Omit<RoomContext, "onEmpty"> {
  readonly blocks: ReadonlyArray<RoomBlock>
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
}

interface Running {
  readonly room: Room
  readonly fiber: Fiber.Fiber<void>
}

/** The rooms of this node. A room is started by its first member and stopped when its last one has left. */
export class Rooms {
  private readonly running = new Map<string, Running>()
  private readonly context: RoomsContext
  private readonly roomContext: RoomContext
  private readonly blocks: ReadonlyArray<{ readonly block: RoomBlock; readonly matches: (name: string) => boolean }>

  constructor(context: RoomsContext) {
    this.context = context
    this.roomContext = { ...context, onEmpty: (room) => this.close(room) }
    this.blocks = [...context.blocks, builtInRoom].map((block) => ({ block, matches: compilePattern(block.pattern) }))
  }

  get size(): number {
    return this.running.size
  }

  /** The first block whose pattern matches. */
  blockFor(name: string): RoomBlock {
    return this.running.get(name)?.room.state.block ?? this.blocks.find(({ matches }) => matches(name))?.block ?? builtInRoom
  }

  get(name: string): Room | undefined {
    return this.running.get(name)?.room
  }

  /** The room, started if need be. */
  open(name: string): Room {
    const present = this.running.get(name)
    if (present !== undefined) return present.room
    const room = new Room(name, this.blockFor(name), this.roomContext)
    const fiber = this.context.fork(
      supervise(room.run(), {
        actor: "room",
        onRestart: (actor) => this.context.counters.restarted(actor),
        onGiveUp: () => Effect.sync(() => room.evictAll())
      })
    )
    this.running.set(name, { room, fiber })
    return room
  }

  private close(room: Room): void {
    const { name } = room.state
    const present = this.running.get(name)
    if (present === undefined || present.room !== room || room.waiting > 0) return
    this.running.delete(name)
    room.stop()
    present.fiber.interruptUnsafe()
  }

  *all(): Generator<Room> {
    for (const { room } of this.running.values()) yield room
  }
}
