import { instant } from '../../../database/read-row.ts';
import type { Statements } from '../../../database/statements.ts';

export interface StoredLogo {
  readonly type: 'png' | 'jpeg';
  readonly bytes: Uint8Array;
}

/** The appearance of an application's invoices. */
export interface TemplateContent {
  readonly logoUrl: string | null;
  readonly companyName: string | null;
  readonly companyAddress: string | null;
  readonly contactDetails: string | null;
  readonly footerNote: string | null;
  /** `#rrggbb` */
  readonly accentColor: string | null;
}

export interface TemplateRecord extends TemplateContent {
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface TemplateRow {
  logo_url: string | null;
  company_name: string | null;
  company_address: string | null;
  contact_details: string | null;
  footer_note: string | null;
  accent_color: string | null;
  created_at: string;
  updated_at: string;
}

const COLUMNS = `logo_url, company_name, company_address, contact_details, footer_note, accent_color, created_at, updated_at`;

function templateOf(row: TemplateRow): TemplateRecord {
  return {
    logoUrl: row.logo_url,
    companyName: row.company_name,
    companyAddress: row.company_address,
    contactDetails: row.contact_details,
    footerNote: row.footer_note,
    accentColor: row.accent_color,
    createdAt: instant(row.created_at),
    updatedAt: instant(row.updated_at),
  };
}

/** Returns null if the application has set no template. */
export async function readTemplate(statements: Statements, applicationId: bigint): Promise<TemplateRecord | null> {
  const [row] = await statements.execute<TemplateRow[]>(
    `select ${COLUMNS} from invoice_templates where application_id = ?`,
    [applicationId],
  );
  return row === undefined ? null : templateOf(row);
}

export async function readLogo(statements: Statements, applicationId: bigint): Promise<StoredLogo | null> {
  const [row] = await statements.execute<{ logo: Uint8Array | null; logo_type: StoredLogo['type'] | null }[]>(
    'select logo, logo_type from invoice_templates where application_id = ?',
    [applicationId],
  );
  return row === undefined || row.logo === null || row.logo_type === null
    ? null
    : { type: row.logo_type, bytes: new Uint8Array(row.logo) };
}

/** Replaces an application's whole template. */
export async function putTemplate(
  statements: Statements,
  applicationId: bigint,
  { logo, ...content }: TemplateContent & { readonly logo: StoredLogo | null },
): Promise<TemplateRecord> {
  const [row] = await statements.execute<TemplateRow[]>(
    `insert into invoice_templates (application_id, logo_url, company_name, company_address, contact_details, footer_note, accent_color, logo,
       logo_type)
     values (?, ?, ?, ?, ?, ?, ?, ?::bytea, ?)
     on conflict (application_id) do update set logo_url = excluded.logo_url, company_name = excluded.company_name,
       company_address = excluded.company_address, contact_details = excluded.contact_details, footer_note = excluded.footer_note,
       accent_color = excluded.accent_color, logo = excluded.logo, logo_type = excluded.logo_type, updated_at = now()
     returning ${COLUMNS}`,
    [
      applicationId,
      content.logoUrl,
      content.companyName,
      content.companyAddress,
      content.contactDetails,
      content.footerNote,
      content.accentColor,
      logo === null ? null : Buffer.from(logo.bytes),
      logo?.type ?? null,
    ],
  );
  if (row === undefined) {
    throw new Error('a template was not stored');
  }
  return templateOf(row);
}
