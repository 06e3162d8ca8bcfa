import type { Statements } from '../../../database/statements.ts';
import { statement, type Given, type RowOf } from '../../../database/typed-statements.ts';
import { now } from '../../../database/expressions.ts';

export interface StoredLogo {
  readonly type: 'png' | 'jpeg';
  readonly bytes: Uint8Array;
}

const TEMPLATE = [
  'logoUrl',
  'companyName',
  'companyAddress',
  'contactDetails',
  'footerNote',
  'accentColor',
  'createdAt',
  'updatedAt',
] as const;

const READ_TEMPLATE = statement((db, $: Given<{ applicationId: bigint }>) =>
  db.selectFrom('invoice_templates').select(TEMPLATE).where('applicationId', '=', $('applicationId')),
);

export type TemplateRecord = RowOf<typeof READ_TEMPLATE>;

/** The appearance of an application's invoices. */
export type TemplateContent = Omit<TemplateRecord, 'createdAt' | 'updatedAt'>;

/** Returns null if the application has set no template. */
export async function readTemplate(statements: Statements, applicationId: bigint): Promise<TemplateRecord | null> {
  return (await READ_TEMPLATE.first(statements, { applicationId })) ?? null;
}

const READ_LOGO = statement((db, $: Given<{ applicationId: bigint }>) =>
  db.selectFrom('invoice_templates').select(['logo', 'logoType']).where('applicationId', '=', $('applicationId')),
);

export async function readLogo(statements: Statements, applicationId: bigint): Promise<StoredLogo | null> {
  const row = await READ_LOGO.first(statements, { applicationId });
  return row === undefined || row.logo === null || row.logoType === null
    ? null
    : { type: row.logoType, bytes: new Uint8Array(row.logo) };
}

interface TemplateValues extends TemplateContent {
  readonly applicationId: bigint;
  readonly logo: Uint8Array | null;
  readonly logoType: StoredLogo['type'] | null;
}

const PUT_TEMPLATE = statement((db, $: Given<TemplateValues>) =>
  db
    .insertInto('invoice_templates')
    .values({
      applicationId: $('applicationId'),
      logoUrl: $('logoUrl'),
      companyName: $('companyName'),
      companyAddress: $('companyAddress'),
      contactDetails: $('contactDetails'),
      footerNote: $('footerNote'),
      accentColor: $('accentColor'),
      logo: $('logo'),
      logoType: $('logoType'),
    })
    .onConflict((conflict) =>
      conflict.column('applicationId').doUpdateSet((eb) => ({
        logoUrl: eb.ref('excluded.logoUrl'),
        companyName: eb.ref('excluded.companyName'),
        companyAddress: eb.ref('excluded.companyAddress'),
        contactDetails: eb.ref('excluded.contactDetails'),
        footerNote: eb.ref('excluded.footerNote'),
        accentColor: eb.ref('excluded.accentColor'),
        logo: eb.ref('excluded.logo'),
        logoType: eb.ref('excluded.logoType'),
        updatedAt: now,
      })),
    )
    .returning(TEMPLATE),
);

/** Replaces an application's whole template. */
export async function putTemplate(
  statements: Statements,
  applicationId: bigint,
  { logo, ...content }: TemplateContent & { readonly logo: StoredLogo | null },
): Promise<TemplateRecord> {
  const template = await PUT_TEMPLATE.first(statements, {
    ...content,
    applicationId,
    logo: logo === null ? null : Buffer.from(logo.bytes),
    logoType: logo?.type ?? null,
  });
  if (template === undefined) {
    throw new Error('a template was not stored');
  }
  return template;
}
