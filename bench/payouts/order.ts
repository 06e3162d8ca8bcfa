/** What a process imports, given as JSON. */
export interface ImportOrder {
  readonly databaseUrl: string;
  readonly lines: number;
}

/** What it prints. */
export interface Imported {
  readonly uploadMs: number;
  readonly importMs: number;
  readonly maxResidentBytes: number;
  readonly linesAdded: number;
}
