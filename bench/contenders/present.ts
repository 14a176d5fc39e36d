import { spawnSync } from "node:child_process"
import { accessSync, constants } from "node:fs"
import { join } from "node:path"

/** Debian puts servers where a user's PATH does not look. */
const usual = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/usr/local/sbin"]

/** The full path of a file in one of the folders, if it is there. */
export const find = (name: string, folders = usual): string | undefined =>
  folders
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.R_OK)
        return true
      } catch {
        return false
      }
    })

/** The first version number that a program tells about itself. */
export const versionOf = (name: string, ...args: ReadonlyArray<string>): string => {
  const { stdout, stderr } = spawnSync(find(name) ?? name, args, { encoding: "utf8" })
  return /\d+(?:\.\d+)+/.exec(`${stdout}${stderr}`)?.[0] ?? "unknown"
}
