import { describe, expect, it } from "vitest"
import type { BackendEnd } from "../../../src/gateway/link/Backend.ts"
import { gatewayErrorTypes } from "../../../src/gateway/GatewayError.ts"
import { afterBackend, afterClient, faultOfEnd } from "../../../src/gateway/link/LinkState.ts"

const end = (code: number, problem?: BackendEnd["problem"]): BackendEnd => ({ code, reason: "its words", problem })

const codes = [1000, 1001, 1002, 1003, 1005, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4001, 4503, 4999]

describe("the end of a backend", () => {
  it("is told to the client in the backend's words, where the link is not to move", () => {
    for (const code of codes) expect(afterBackend("close", end(code))).toEqual({ action: "close", code, reason: "its words" })
  })

  it("is told as a lost backend when there were no words", () => {
    expect(afterBackend("close", end(1006))).toEqual({ action: "close", code: 4503, reason: "backend lost" })
  })

  it("leaves the client alone when the backend goes, where the link may move, and is told when the client should go", () => {
    for (const code of [1001, 1006, 1012]) expect(afterBackend("reconnect", end(code))).toEqual({ action: "seek" })
    for (const code of codes.filter((one) => one !== 1001 && one !== 1012))
      expect(afterBackend("reconnect", end(code))).toEqual({ action: "close", code, reason: "its words" })
  })

  it("is a loss whatever broke the connection, but for a message too large, which no other backend would make smaller", () => {
    for (const type of gatewayErrorTypes.filter((one) => one !== "too_large")) {
      expect(afterBackend("reconnect", end(1006, { type, message: "broken" }))).toEqual({ action: "seek" })
      expect(afterBackend("close", end(1006, { type, message: "broken" }))).toMatchObject({ action: "close", code: 4503 })
    }
    for (const mode of ["close", "reconnect"] as const)
      expect(afterBackend(mode, end(1006, { type: "too_large", message: "large" }))).toMatchObject({ action: "close", code: 1009 })
  })
})

describe("whose fault the end of a backend is", () => {
  it("is the backend's when it went without a word or wrongly, whatever it had done before", () => {
    for (const mode of ["close", "reconnect"] as const)
      for (const proved of [true, false]) {
        expect(faultOfEnd(mode, end(1006), proved)).toMatchObject({ type: "lost" })
        for (const type of gatewayErrorTypes)
          expect(faultOfEnd(mode, end(1006, { type, message: "its" }), proved)).toEqual({ type, message: "its" })
      }
  })

  it("is the backend's when it drops a link that it has just taken, and a deployment's when it has proved itself", () => {
    for (const code of [1001, 1012]) {
      expect(faultOfEnd("reconnect", end(code), false)).toMatchObject({ type: "lost", message: expect.stringContaining(`${code}`) })
      expect(faultOfEnd("reconnect", end(code), true)).toBeUndefined()
    }
  })

  it("is nobody's when the client is meant", () => {
    for (const code of codes.filter((one) => one !== 1001 && one !== 1012))
      expect(faultOfEnd("reconnect", end(code), false)).toBeUndefined()
    for (const code of codes) expect(faultOfEnd("close", end(code), false)).toBeUndefined()
  })
})

describe("the end of a client", () => {
  it("is told to the backend in the client's words", () => {
    for (const code of codes) expect(afterClient(code, "its words")).toEqual({ code, reason: "its words" })
  })

  it("is told without words when there were none", () => {
    expect(afterClient(1006, "")).toBeUndefined()
    expect(afterClient(1006, "something else")).toBeUndefined()
  })

  it("is told as what was wrong with the client's frames, where the transport closed it for that", () => {
    expect(afterClient(1006, "Received invalid WebSocket frame")).toEqual({ code: 1002, reason: "" })
    expect(afterClient(1006, "Received invalid UTF-8")).toEqual({ code: 1007, reason: "" })
    expect(afterClient(1006, "Received too big message, or other inflation error")).toEqual({ code: 1009, reason: "" })
    expect(afterClient(1006, "Received invalid close payload")).toEqual({ code: 1005, reason: "" })
  })
})
