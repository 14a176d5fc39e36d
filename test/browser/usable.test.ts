import type { Browser, Page } from "playwright-core"
import { beforeAll, describe, expect, it } from "vitest"
import { launchChromium } from "../support/chromium.ts"
import { eventually } from "../support/eventually.ts"
import { startWeft, type Weft } from "../support/weft.ts"
import { openClient } from "./pages.ts"

let browser: Browser
let weft: Weft

beforeAll(async () => {
  ;[browser, weft] = await Promise.all([launchChromium(), startWeft()])
})

const views = ["Rooms", "Talk", "Members", "Frames"] as const
const long = `${"unbreakable".repeat(30)} and ${"many words ".repeat(30)}`

describe("on a phone", () => {
  const phone = { viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 }

  /** What is wider than the window, or can be scrolled sideways. */
  const overflow = (page: Page) =>
    page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll("body, .session > *, #log, #frames")]
        .filter((box) => box.scrollWidth > box.clientWidth && box.clientWidth > 0)
        .map((box) => `${box.tagName}#${box.id}.${box.className}: ${box.scrollWidth} in ${box.clientWidth}`)
    )

  /** The controls in sight that are lower or narrower than a finger. */
  const tooSmall = (page: Page) =>
    page.evaluate(() =>
      [...document.querySelectorAll("button, input:not([type=checkbox], [type=radio]), select, textarea, summary, .check, .segments label")]
        .map((control) => ({ control, box: control.getBoundingClientRect() }))
        .filter(({ box }) => box.width > 0 && (box.height < 43.5 || box.width < 44))
        .map(({ control, box }) => `${control.tagName} ${control.id || control.textContent}: ${box.width} × ${box.height}`)
    )

  it("nothing scrolls sideways, and every control has room for a finger", async () => {
    const { page, says, sees, state, complaints } = await openClient(browser, weft.url, phone)
    expect([await overflow(page), await tooSmall(page)]).toEqual([[], []])
    await page.getByRole("textbox", { name: "Your name" }).fill("A name of forty characters, all of them…")
    await page.getByRole("button", { name: "Connect", exact: true }).tap()
    await state("Connected")
    await page.getByText("You joined lobby.").waitFor()
    await says(long)
    await sees(`> ${long.trim()}`)
    for (const view of views) {
      await page.getByRole("button", { name: view }).tap()
      if (view === "Rooms") await page.getByText("New direct message").tap()
      if (view === "Frames") await page.locator(".frame").last().tap()
      expect([view, await overflow(page), await tooSmall(page)]).toEqual([view, [], []])
    }
    expect(complaints).toEqual([])
  })
})

describe("the messages in sight", () => {
  const log = (page: Page) => page.locator("#log")
  /** How far the end is below the visible part. */
  const below = (page: Page) => log(page).evaluate((box) => box.scrollHeight - box.clientHeight - box.scrollTop)
  const painted = (page: Page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))

  it("stay the newest, whatever happens to their room, until the reader goes back", async () => {
    const { page, says, sees, state } = await openClient(browser, `${weft.url}/#name=Ada&encoding=json&room=scroll`, {
      viewport: { width: 1280, height: 420 }
    })
    await state("Connected")
    await page.getByText("You joined scroll.").waitFor()
    for (let i = 1; i <= 12; i++) await says(`line ${i}`)
    await sees("> line 12")
    await eventually(async () => (await below(page)) < 2)
    // A line appears above, and only then the browser tells of an earlier scrolling: that was not the reader's.
    await log(page).evaluate((box) => {
      if (box.parentElement !== null) box.parentElement.style.marginTop = "150px"
      box.dispatchEvent(new Event("scroll"))
    })
    await painted(page)
    await says("line 13")
    await sees("> line 13")
    await painted(page)
    expect(await below(page)).toBeLessThan(2)
    await log(page).evaluate((box) => (box.scrollTop = 0))
    await painted(page)
    await says("line 14")
    await sees("> line 14")
    await painted(page)
    expect(await log(page).evaluate((box) => box.scrollTop)).toBe(0)
  })
})

describe("with the keyboard alone", () => {
  it("one connects, talks, joins, goes between rooms, reads frames and leaves", async () => {
    const { page, sees, state, complaints } = await openClient(browser, weft.url)
    const press = async (...keys: ReadonlyArray<string>) => {
      for (const key of keys) await page.keyboard.press(key)
    }
    const focus = () => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent)
    /** Goes on with Tab until the focus is there. */
    const tabTo = async (id: string, key = "Tab") => {
      for (let steps = 0; steps < 40 && (await focus()) !== id; steps++) await press(key)
      expect(await focus()).toBe(id)
      const outlined = await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle)
      expect([id, outlined]).toEqual([id, "solid"])
    }
    expect(await focus()).toBe("name")
    await page.keyboard.type("Ada")
    await press("Tab", "Tab", "ArrowRight")
    await press("Enter")
    await state("Connected")
    expect(await page.locator("#about").textContent()).toContain("MessagePack")
    expect(await focus()).toBe("text")
    await page.getByText("You joined lobby.").waitFor()
    await page.keyboard.type("first line")
    await press("Shift+Enter")
    await page.keyboard.type("second line")
    await press("Enter")
    await sees("> first line\nsecond line")

    await tabTo("join-room", "Shift+Tab")
    await page.keyboard.type("loom")
    await press("Enter")
    await page.getByText("You joined loom.").waitFor()
    expect(await focus()).toBe("text")
    await tabTo("lobby", "Shift+Tab")
    await press("Enter")
    await sees("> first line\nsecond line")
    expect(await focus()).toBe("text")

    await tabTo("frames")
    await press("End", "ArrowUp", "ArrowDown")
    const chosen = page.locator("#frames [aria-selected=true]")
    expect(await chosen.textContent()).toContain('"id": ')
    expect(await page.locator("#frames").getAttribute("aria-activedescendant")).toBe(await chosen.getAttribute("id"))
    await press("Escape")
    expect(await chosen.count()).toBe(0)

    await tabTo("leave", "Shift+Tab")
    await press("Enter")
    expect(await page.locator("#rooms button").allTextContents()).toEqual(["loom"])
    await tabTo("disconnect", "Shift+Tab")
    await press("Enter")
    await state("Not connected")
    expect(await focus()).toBe("name")
    expect(complaints).toEqual([])
  })
})

describe("for every eye and ear", () => {
  /** Text in sight whose contrast to what is behind it is under 4.5 : 1 (WCAG 2.2, 1.4.3). */
  const faint = (page: Page) =>
    page.evaluate(() => {
      const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number)
      const luminance = (color: string) => {
        const [r = 0, g = 0, b = 0] = channels(color).map((value) => {
          const part = value / 255
          return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
        })
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
      }
      const ground = (from: Element | null): string => {
        for (let box = from; box !== null; box = box.parentElement) {
          const color = getComputedStyle(box).backgroundColor
          if ((channels(color)[3] ?? 1) > 0) return color
        }
        return "rgb(255, 255, 255)"
      }
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
      const found: Array<string> = []
      for (let text = walker.nextNode(); text !== null; text = walker.nextNode()) {
        const box = text.parentElement
        if (box === null || text.textContent?.trim() === "" || !box.checkVisibility({ visibilityProperty: true })) continue
        const lights = [luminance(getComputedStyle(box).color), luminance(ground(box))].toSorted((a, b) => b - a)
        const contrast = ((lights[0] ?? 0) + 0.05) / ((lights[1] ?? 0) + 0.05)
        if (contrast < 4.5) found.push(`${text.textContent?.slice(0, 30)}: ${contrast.toFixed(2)}`)
      }
      return found
    })

  it.each(["light", "dark"] as const)("text stands out in the %s scheme", async (colorScheme) => {
    const { page } = await openClient(browser, weft.url, { colorScheme })
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme)).toBe(colorScheme)
    expect(await faint(page)).toEqual([])
    const other = await openClient(browser, `${weft.url}/#name=Grace&encoding=json&room=${colorScheme}`)
    const client = await openClient(browser, `${weft.url}/#name=Ada&encoding=json&room=${colorScheme}&room=other`, { colorScheme })
    await Promise.all([client.state("Connected"), other.state("Connected")])
    await other.page.getByText("You joined").waitFor()
    await client.page.getByText("You joined").waitFor()
    await client.says("mine")
    await other.says("theirs")
    await client.sees("Grace: theirs")
    await client.page.locator(".frame").last().click()
    expect(await faint(client.page)).toEqual([])
  })

  it("every control has a name, and messages are announced", async () => {
    const { page, state } = await openClient(browser, `${weft.url}/#name=Ada&encoding=json&room=lobby`)
    await state("Connected")
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll("input, select, textarea, button")]
        .filter((control) => control.checkVisibility())
        .filter((control) => {
          const labels = "labels" in control ? [...((control.labels ?? []) as NodeListOf<HTMLLabelElement>)] : []
          const texts = [control.ariaLabel, control.textContent, ...labels.map((label) => label.textContent)]
          return texts.every((text) => (text ?? "").trim() === "")
        })
        .map((control) => control.outerHTML)
    )
    expect(nameless).toEqual([])
    expect(await page.locator("#log").getAttribute("aria-live")).toBe("polite")
    expect(await page.getByRole("status").count()).toBeGreaterThan(0)
  })

  it("nothing may become markup: the browser itself refuses it", async () => {
    const { page } = await openClient(browser, weft.url)
    const refused = await page.evaluate(() => {
      try {
        document.body.innerHTML = "<b>markup</b>"
        return false
      } catch {
        return true
      }
    })
    expect(refused).toBe(true)
  })
})
