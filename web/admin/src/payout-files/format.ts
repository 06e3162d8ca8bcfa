export type FileFormat = 'csv' | 'xlsx' | 'camt053' | 'mt940';

const BY_ENDING: Readonly<Record<string, FileFormat>> = {
  csv: 'csv',
  txt: 'csv',
  tsv: 'csv',
  xlsx: 'xlsx',
  xml: 'camt053',
  sta: 'mt940',
  mt940: 'mt940',
  940: 'mt940',
};

/** Returns the format that the ending of a file's name stands for; CSV for one that is not known. The server reads the bytes and refuses what they are not. */
export function formatOf(name: string): FileFormat {
  return BY_ENDING[name.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'csv';
}

export function isStatement(format: FileFormat): boolean {
  return format === 'camt053' || format === 'mt940';
}
