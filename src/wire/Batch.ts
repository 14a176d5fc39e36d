/** How many messages one frame may hold, as an array, both ways. */
export const maxBatch = 64
