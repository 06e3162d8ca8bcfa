/** What a process does, given as JSON: the upload, as an api does it, or the import, as a worker does it. */
export type ImportOrder = { readonly databaseUrl: string } & (
  { readonly upload: { readonly lines: number } } | { readonly import: { readonly reference: string } }
);

interface Cost {
  readonly ms: number;
  readonly maxResidentBytes: number;
}

/** What it prints. */
export interface Uploaded extends Cost {
  readonly reference: string;
}

/** What it prints. */
export interface Imported extends Cost {
  readonly linesAdded: number;
}
