/** A frame as a server sends it: not masked. */
export const serverFrame = (opcode: number, payload: Uint8Array, fin = true): Buffer => {
  const size = payload.length
  const header = Buffer.alloc(size < 126 ? 2 : size < 65536 ? 4 : 10)
  header[0] = (fin ? 0x80 : 0) | opcode
  if (size < 126) header[1] = size
  else if (size < 65536) {
    header[1] = 126
    header.writeUInt16BE(size, 2)
  } else {
    header[1] = 127
    header.writeBigUInt64BE(BigInt(size), 2)
  }
  return Buffer.concat([header, payload])
}
