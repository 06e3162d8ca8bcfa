import { Button } from '@mantine/core';
import { useMode } from '../shell/mode.ts';
import { useLanguage } from '../words/language.tsx';
import { queryOf, type PaymentFilter } from './filter.ts';

/** Downloads what the list shows. */
export function ExportLink({ filter }: { readonly filter: PaymentFilter }) {
  const { words } = useLanguage();
  const { mode } = useMode();
  const query = new URLSearchParams(queryOf(mode, filter));
  return (
    <Button component="a" variant="default" href={`/api/v1/admin/payments/export?${query}`} download>
      {words.payments.export}
    </Button>
  );
}
