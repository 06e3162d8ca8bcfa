/** Formats a time to the second, such as `2026-11-21 14:05:30 UTC`. */
export function utcText(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
