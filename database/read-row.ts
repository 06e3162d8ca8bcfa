/** Parses a timestamp that node-postgres returned as text. */
export function instant(text: string): Date {
  return new Date(text);
}

export function optional<T>(text: string | null, read: (text: string) => T): T | null {
  return text === null ? null : read(text);
}
