/** What no message can hold, in the words that its sender is told. */
import { CodecError } from "./Codec.ts"

export const refuse = (text: string): never => {
  throw new CodecError(text)
}

export const finite = (value: number): number => (Number.isFinite(value) ? value : refuse("a number must be finite"))

export const wellFormed = (text: string): string => (text.isWellFormed() ? text : refuse("a string holds half of a surrogate pair"))
