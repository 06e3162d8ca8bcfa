/** Why a whole file is refused. The codes are stable: clients use them. */
export const FILE_PROBLEMS = [
  'BAD_ENCODING',
  'TOO_LARGE',
  'TOO_MANY_LINES',
  'NO_HEADER',
  'MISSING_COLUMN',
  'DUPLICATE_COLUMN',
  'BAD_SPREADSHEET',
  'BAD_STATEMENT',
  'FORBIDDEN_XML',
  'BALANCE_MISSING',
  'BALANCE_DIFFERS',
  'AMOUNTS_TOO_LARGE',
] as const;
export type FileProblem = (typeof FILE_PROBLEMS)[number];

interface Place {
  /** From 0, where single bytes are to blame. */
  readonly byteOffset?: number;
  /** From 1. */
  readonly lineNumber?: number;
}

/** A file that cannot be read to its end. Its message quotes nothing of the file but headings. */
export class UnreadableFile extends Error {
  readonly problem: FileProblem;
  readonly byteOffset: number | null;
  readonly lineNumber: number | null;

  constructor(problem: FileProblem, message: string, { byteOffset, lineNumber }: Place = {}) {
    super(message);
    this.name = 'UnreadableFile';
    this.problem = problem;
    this.byteOffset = byteOffset ?? null;
    this.lineNumber = lineNumber ?? null;
  }
}
