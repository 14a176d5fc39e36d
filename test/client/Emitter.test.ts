import { expect, it, onTestFinished } from "vitest"
import { Emitter } from "../../src/client/Emitter.ts"

it("reaches every listener although one throws, and reports what it threw as uncaught", async () => {
  const handlers = process.listeners("uncaughtException")
  process.removeAllListeners("uncaughtException")
  onTestFinished(() => {
    process.removeAllListeners("uncaughtException")
    for (const handler of handlers) process.on("uncaughtException", handler)
  })
  const uncaught = new Promise((resolve) => process.once("uncaughtException", resolve))
  const emitter = new Emitter<{ word: string }>()
  const heard: Array<string> = []
  emitter.on("word", () => {
    throw new Error("from the listener")
  })
  emitter.on("word", (word) => heard.push(word))
  emitter.emit("word", "a")
  expect(heard).toEqual(["a"])
  expect(await uncaught).toMatchObject({ message: "from the listener" })
})

it("calls no listener that unsubscribed, also when that happens during the event", () => {
  const emitter = new Emitter<{ word: string }>()
  const heard: Array<string> = []
  const stop = emitter.on("word", (word) => {
    heard.push(word)
    stop()
  })
  expect(emitter.heard("word")).toBe(true)
  emitter.emit("word", "a")
  emitter.emit("word", "b")
  expect(heard).toEqual(["a"])
  expect(emitter.heard("word")).toBe(false)
})
