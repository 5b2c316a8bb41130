/** 1 MB is 1,048,576 bytes everywhere in this product, and 1 GB is 1,024 of them: the mission's schema counts so, and the UI says it once. */
export const MB = 1_048_576
export const GB = 1024 * MB

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
