import { describe, expect, it } from "vitest"
import { probeUrl } from "../../../src/gateway/probes/probeUrl.ts"

describe("probeUrl", () => {
  it.each([
    ["http://10.0.0.1:9001", "/", "http://10.0.0.1:9001/"],
    ["ws://10.0.0.1:9001", "/health", "http://10.0.0.1:9001/health"],
    ["wss://chat.example.com", "/health?deep=1&x=/", "https://chat.example.com/health?deep=1&x=/"],
    ["https://chat.example.com/base", "/", "https://chat.example.com/base/"],
    ["https://chat.example.com/base/", "/health", "https://chat.example.com/base/health"],
    ["http://[::1]:9001/a/b", "/c%20d", "http://[::1]:9001/a/b/c%20d"]
  ])("of %s and %s is %s", (target, path, url) => {
    expect(probeUrl(new URL(target), path).href).toBe(url)
  })
})
