import { type Browser, chromium } from "playwright-core"
import { atEnd } from "./cleanup.ts"
import { findProgram } from "./find.ts"

/** CHROMIUM_BIN, else the Chromium of the system. Fails with one line that says what to install. */
export const findChromium = (): string => {
  const found = findProgram("CHROMIUM_BIN", "chromium", "chromium-browser", "google-chrome")
  if (found !== undefined) return found
  throw new Error("tests need Chromium: apt-get install chromium, or name its file in CHROMIUM_BIN")
}

/** No sandbox (tests run as root in containers), no GPU, and none of the requests that a browser makes on its own. */
const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

/** Starts a headless browser. Closed at the end of the test file. */
export const launchChromium = async (): Promise<Browser> => {
  const browser = await chromium.launch({ executablePath: findChromium(), args, timeout: 60_000 })
  atEnd(() => browser.close())
  return browser
}
