/**
 * One server in a comparison. A contender's file exports `contender: Contender` and, if it does not speak as Weft does,
 * `dialect: MakeDialect`, and stands in the table of `index.ts`.
 */
import type { Encoding } from "../../src/wire/Codec.ts"
import type { Scenario } from "../../src/bench/Spec.ts"

/** What a contender is measured as: something that knows messages, or what stands before a backend and passes them on. */
export type Subject = "hub" | "gateway"

/** What a contender is started with. */
export interface Launch {
  readonly port: number
  /** For a gateway: the port of the backend, on the same machine. */
  readonly backend: number
  /** Signs the tokens of the load's connections, where the server checks any. */
  readonly secret: string
  /** An empty folder of its own, gone after the run. */
  readonly folder: string
  /** Most connections that the run will hold. */
  readonly connections: number
}

export interface Command {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
}

export interface Contender {
  readonly name: string
  /** One line for the report: what it is, and what was set. */
  readonly settings: string
  /** Files written into `launch.folder` may configure it. Ready when its port takes connections. Absent: the load goes straight to the backend. */
  readonly start?: (launch: Launch) => Command
  readonly path: string
  readonly encodings: ReadonlyArray<Encoding>
  readonly batch: boolean
  /** Whether its connections bring a token that is checked. */
  readonly authenticates: boolean
  /** Absent: every scenario. */
  readonly scenarios?: ReadonlyArray<Scenario["kind"]>
  /** For the report. Absent: it stands in the project's lock file. */
  readonly version?: () => string
  /** What has to be installed first, if it is not there; the contender is then left out, and that is said. */
  readonly missing?: () => string | undefined
  /** Module URL of its dialect; absent: Weft's. */
  readonly dialect?: string
}
