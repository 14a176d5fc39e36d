import type { WebSocket } from "uWebSockets.js"

/** How many are remembered: as long as one of them is open, there is one. */
const most = 16

/**
 * A few open WebSockets of a listener, under whose cork an HTTP response can be upgraded after a wait.
 *
 * When the response's own cork ends, uWebSockets before its pull request 1929 reads behind the new WebSocket as if the response still
 * stood there, and closes it for what has been allocated there meanwhile: one in ten of the first of a process, one in some thousands
 * later. Within the cork of somebody else the response is not corked, and nothing is read when it ends.
 */
export class UwsCorks {
  private readonly open: Array<WebSocket<unknown>> = []

  opened(ws: WebSocket<unknown>): void {
    if (this.open.length < most) this.open.push(ws)
  }

  closed(ws: WebSocket<unknown>): void {
    const at = this.open.indexOf(ws)
    if (at !== -1) this.open.splice(at, 1)
  }

  /** Runs `body` within a cork of one of them, if there is one. */
  within(body: () => void): void {
    const ws = this.open[0]
    if (ws === undefined) body()
    else ws.cork(body)
  }
}
