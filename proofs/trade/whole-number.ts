/** Reads an option. Throws unless it is a whole number from 1 to `max`. */
export function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new Error(`--${name} is a whole number from 1 to ${max}, not "${text}"`);
  }
  return value;
}
