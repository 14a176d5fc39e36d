/** Flags that several commands share, and how a flag becomes a value of the configuration. */
import { Option } from "effect"
import { Flag } from "effect/cli"
import type { FlagValue } from "../config/load.ts"

/** `--config FILE`, `-c FILE`. */
export const config = Flag.String("config").pipe(
  Flag.withAlias("c"),
  Flag.withMetavar("FILE"),
  Flag.withDescription("Configuration file (TOML)"),
  Flag.optional
)

/** The value that a flag gives to a key; none when the flag was not given. */
export const setting = <A>(flag: string, key: string, value: Option.Option<A>): ReadonlyArray<FlagValue> =>
  Option.match(value, { onNone: () => [], onSome: (value) => [{ flag, key, value }] })

/** `{ file }` when one was given. */
export const fileOption = (file: Option.Option<string>): { readonly file?: string } =>
  Option.match(file, { onNone: () => ({}), onSome: (file) => ({ file }) })
