#!/usr/bin/env node
// The `weft` command, in a checkout (src/main.ts) and in an installed package (dist/main.js). It may be started by any Node.
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { bundledNode, decide } from "./runtime.js"

const source = new URL("../src/main.ts", import.meta.url)
const compiled = !existsSync(source)
const bundled = bundledNode()

/** @param {string} text */
const refuse = (text) => {
  process.stderr.write(`${text}\n`)
  process.exitCode = 1
}

/**
 * Runs the same command again on another Node. Where the process can not be replaced, this one stays as a parent that passes on
 * signals and ends the way its child ended.
 * @param {string} node
 */
const switchTo = (node) => {
  const args = [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)]
  if (typeof process.execve === "function" && process.platform !== "win32") process.execve(node, [node, ...args], process.env)
  const child = spawn(node, args, { stdio: "inherit" })
  /** @type {ReadonlyArray<NodeJS.Signals>} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"]
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  child.on("error", (error) => refuse(`weft: can not run ${node}: ${error.message}`))
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

const choice = decide({ version: process.versions.node, platform: `${process.platform}-${process.arch}`, bundled, compiled })

if (choice === "here") await import((compiled ? new URL("../dist/main.js", import.meta.url) : source).href)
else if (choice === "switch" && bundled !== undefined) switchTo(bundled)
else if (typeof choice === "object") refuse(choice.refuse)
