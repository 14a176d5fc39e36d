/** Counts the HTTP requests that have come and whose answers have not ended, nor their connections been lost. */
export class InFlight {
  private count = 0

  get size(): number {
    return this.count
  }

  begin(): void {
    this.count++
  }

  end(): void {
    this.count--
  }
}
