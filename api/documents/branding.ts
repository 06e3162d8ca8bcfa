import type { Database, Scope } from '../../database/connection.ts';
import { readLogo, readTemplate } from '../../core/invoices/store/invoice-templates.ts';
import { DEFAULT_ACCENT } from '../../web/accent.ts';
import type { Branding } from '../../web/documents/document.ts';

/** Returns how an application's documents look: its template, or only its name if it has none. */
export async function brandingOf(database: Database, scope: Scope, applicationName: string): Promise<Branding> {
  const { template, logo } = await database.withScope(scope, async (statements) => ({
    template: await readTemplate(statements, scope.applicationId),
    logo: await readLogo(statements, scope.applicationId),
  }));
  return {
    companyName: template?.companyName ?? applicationName,
    companyAddress: template?.companyAddress ?? null,
    contactDetails: template?.contactDetails ?? null,
    footerNote: template?.footerNote ?? null,
    accentColor: template?.accentColor ?? DEFAULT_ACCENT,
    logo,
  };
}
