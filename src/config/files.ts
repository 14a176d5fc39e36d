/** Looks at the files that a configuration names, before anything is started with them. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto"
import { Effect, FileSystem, type PlatformError, Result } from "effect"
import { narrowAlgorithms, publicKeyFromPem } from "../auth/JwtKeys.ts"
import { isPem } from "./rules.ts"
import type { SettingsFile } from "./Settings.ts"

/** What is wrong with a key's file, or with a key because of it, by the key's path. Does not repeat what a file holds. */
export type FileProblems = ReadonlyMap<string, string>

const reasons: Record<string, string> = { NotFound: "no such file", PermissionDenied: "permission denied", BadResource: "is not a file" }

/** Why a file can not be read, for the end of a sentence. */
export const unreadable = (error: PlatformError.PlatformError): string =>
  `can not be read: ${reasons[error.reason._tag] ?? "it is not a readable file"}`

/** `name` is what a problem calls the file. */
const read = Effect.fnUntraced(function* <A>(path: string, parse: (text: string) => Result.Result<A, string>, name = JSON.stringify(path)) {
  const text = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(path)).pipe(Effect.result)
  const parsed = Result.isFailure(text) ? Result.fail(unreadable(text.failure)) : parse(text.success)
  return Result.mapError(parsed, (problem) => `${name} ${problem}`)
})

const parseCertificate = (text: string): Result.Result<X509Certificate, string> =>
  Result.try({ try: () => new X509Certificate(text), catch: () => "is not a certificate in PEM form" })

const parsePrivateKey = (text: string): Result.Result<KeyObject, string> =>
  Result.try({ try: () => createPrivateKey(text), catch: () => "is not a private key in PEM form, without passphrase" })

const tlsProblems = Effect.fnUntraced(function* ({ cert, key }: { readonly cert: string; readonly key: string }) {
  const certificate = yield* read(cert, parseCertificate)
  const privateKey = yield* read(key, parsePrivateKey)
  const problems: Array<readonly [string, string]> = []
  if (Result.isFailure(certificate)) problems.push(["server.tls.cert", certificate.failure])
  if (Result.isFailure(privateKey)) problems.push(["server.tls.key", privateKey.failure])
  if (Result.isSuccess(certificate) && Result.isSuccess(privateKey) && !certificate.success.checkPrivateKey(privateKey.success))
    problems.push(["server.tls.key", `${JSON.stringify(key)} is not the key of the certificate in ${JSON.stringify(cert)}`])
  return problems
})

const publicKeyProblems = Effect.fnUntraced(function* (source: string, configured: ReadonlyArray<string> | undefined) {
  // What is no path may be a key without its header, or worse, a private one: it is not repeated.
  const key = isPem(source) ? publicKeyFromPem(source) : yield* read(source, publicKeyFromPem, "the file that it names")
  const algorithms = Result.flatMap(key, ({ algorithms }) => narrowAlgorithms(algorithms, configured))
  const problems: Array<readonly [string, string]> = []
  if (Result.isFailure(key)) problems.push(["auth.jwt.public_key", key.failure])
  else if (Result.isFailure(algorithms)) problems.push(["auth.jwt.algorithms", algorithms.failure])
  return problems
})

/** Reads the files and tells what is wrong with them. */
export const fileProblems = Effect.fnUntraced(function* (
  settings: SettingsFile
): Effect.fn.Return<FileProblems, never, FileSystem.FileSystem> {
  const { tls } = settings.server
  const { algorithms, public_key } = settings.auth.jwt ?? {}
  return new Map([
    ...(tls === undefined ? [] : yield* tlsProblems(tls)),
    ...(public_key === undefined ? [] : yield* publicKeyProblems(public_key, algorithms))
  ])
})
