/// <reference lib="es2024.string" />

/** Whether UTF-8 can hold the text: it has no lone surrogate. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed();
}
