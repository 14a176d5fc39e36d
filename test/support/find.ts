import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"

/** Whether `file` can be run by this user. */
export const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * A program of the system that tests need: the file that the environment variable names, else the first of `names` in PATH or in the
 * folders where Debian keeps daemons. `undefined` when there is none. Fails when the variable names a file that can not be run.
 */
export const findProgram = (variable: string, ...names: ReadonlyArray<string>): string | undefined => {
  const named = process.env[variable]
  if (named !== undefined && named !== "") {
    if (isExecutable(named)) return named
    throw new Error(`${variable} names ${named}, which can not be run`)
  }
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/local/bin", "/usr/bin", "/usr/sbin"]
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}
