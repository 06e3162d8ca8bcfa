import { Group, Stack, Text } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Act } from '../parts/act.tsx';
import { FilterForm } from '../parts/filter-form.tsx';
import { textOf } from '../parts/form.tsx';
import { List } from '../parts/list.tsx';
import { ReasonField } from '../parts/reason-field.tsx';
import { PaymentLink } from '../payments/payment-link.tsx';
import { useMay } from '../session/session.tsx';
import { useMode } from '../shell/mode.ts';
import { moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { UNAPPLIED_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';
import { Instant } from '../parts/instant.tsx';

type Unapplied = Schemas['UnappliedPaymentDetail'];

export function UnappliedPage() {
  const words = useWords(UNAPPLIED_WORDS);
  const { language } = useLanguage();
  const { mode } = useMode();
  const filter = useSearch({ from: '/$mode/unapplied-payments' });
  return (
    <Page title={words.title} why={words.why}>
      <FilterForm
        filter={filter}
        fields={[
          {
            name: 'status',
            label: words.status,
            options: words.statuses,
          },
        ]}
      />
      <List
        label={words.title}
        queryKey={['unapplied payments', mode, filter]}
        get={(page) => api.GET('/admin/unapplied-payments', { params: { query: { mode, ...filter, ...page } } })}
        columns={[
          { name: words.amount, isNumber: true, cell: (one) => moneyOf(one, language) },
          { name: words.payment, cell: (one) => <PaymentLink id={one.paymentId} reference={one.paymentReference} /> },
          { name: words.kind, from: 'md', cell: ({ kind }) => words.kinds[kind] },
          { name: words.status, from: 'sm', cell: ({ status }) => words.statuses[status] },
          { name: words.gateway, from: 'lg', cell: ({ gateway }) => gateway },
          { name: words.received, from: 'md', cell: ({ createdAt }) => <Instant at={createdAt} /> },
          { name: words.decide, cell: (one) => <Decisions unapplied={one} /> },
        ]}
        keyOf={({ id }) => id}
        empty={words.empty}
      />
    </Page>
  );
}

function Decisions({ unapplied }: { readonly unapplied: Unapplied }) {
  const words = useWords(UNAPPLIED_WORDS);
  const { language } = useLanguage();
  const may = useMay();
  const { status, decision, applicationId } = unapplied;
  if (status !== 'HELD') {
    return words.statuses[status];
  }
  const amount = moneyOf(unapplied, language);
  return (
    <Stack gap="xs">
      {decision?.awaitsSecondPerson === true && <Text size="sm">{words.waits[decision.decision]}</Text>}
      {may('payment:review', applicationId) && (
        <Group gap="xs">
          {(['refund', 'keep'] as const).map((wanted) => (
            <Act
              key={wanted}
              size="xs"
              label={words[wanted]}
              what={words[`${wanted}Act`](amount, unapplied.paymentReference)}
              run={(form) =>
                dataOf(
                  api.POST('/admin/unapplied-payments/{id}', {
                    params: { path: { id: unapplied.id } },
                    body: { decision: wanted, reason: textOf(form, 'reason') },
                  }),
                )
              }
              refresh={[['unapplied payments'], ['inbox']]}
            >
              <ReasonField label={words.reason} />
            </Act>
          ))}
        </Group>
      )}
    </Stack>
  );
}
