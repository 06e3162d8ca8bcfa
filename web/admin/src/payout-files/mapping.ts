/** A mapping as the API has it. Only what the form changes is known here. */
export interface Mapping {
  readonly version: number;
  readonly format: string;
  readonly columns?: Readonly<Record<string, { readonly headings: readonly string[] }>>;
}

/** Returns the mapping with another heading for a member of a line. */
export function withHeading(mapping: Mapping, member: string, heading: string): Mapping {
  const before = mapping.columns?.[member];
  return { ...mapping, columns: { ...mapping.columns, [member]: { ...before, headings: [heading] } } };
}

/** Returns the heading of the file that a member is read from, compared as the reader does; an empty text if the file has none of them. */
export function headingIn(mapping: Mapping, member: string, headings: readonly string[]): string {
  const wanted = (mapping.columns?.[member]?.headings ?? []).map(plain);
  return headings.find((heading) => wanted.includes(plain(heading))) ?? '';
}

function plain(heading: string): string {
  return heading.toLowerCase().replaceAll(/\s/g, '');
}

/** @returns undefined if the text is no JSON object */
export function mappingOf(text: string): Mapping | undefined {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null ? (read as Mapping) : undefined;
  } catch {
    return undefined;
  }
}
