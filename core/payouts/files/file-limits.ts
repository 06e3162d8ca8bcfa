/** What a file may cost to read. Characters are UTF-16 units. */
export interface FileLimits {
  readonly fileBytes: number;
  /** Rows below the header, whether they become lines or not. */
  readonly records: number;
  /** The longest row, and the longest physical line. */
  readonly recordChars: number;
  readonly cellChars: number;
}

export const FILE_LIMITS: FileLimits = {
  fileBytes: 1024 * 1024 * 1024,
  records: 4_000_000,
  recordChars: 65_536,
  cellChars: 4096,
};
