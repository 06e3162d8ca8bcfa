import { Alert, Group, Stack, Text } from '@mantine/core';
import { useSearch } from '@tanstack/react-router';
import { SUBMISSION_STATUSES } from '../../../../domain/manual-payment.ts';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Act } from '../parts/act.tsx';
import { Facts } from '../parts/facts.tsx';
import { FilterForm } from '../parts/filter-form.tsx';
import { textOf } from '../parts/form.tsx';
import { List } from '../parts/list.tsx';
import { ReasonField } from '../parts/reason-field.tsx';
import { PaymentLink } from '../payments/payment-link.tsx';
import { useMode } from '../shell/mode.ts';
import { countOf, moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { MANUAL_WORDS } from './words.ts';
import { Page } from '../parts/page.tsx';
import { Instant } from '../parts/instant.tsx';

type Manual = Schemas['ManualPayment'];

export function ManualPage() {
  const words = useWords(MANUAL_WORDS);
  const { language } = useLanguage();
  const { mode } = useMode();
  const filter = useSearch({ from: '/$mode/manual-payments' });
  return (
    <Page title={words.title} why={words.why}>
      <FilterForm
        filter={filter}
        fields={[
          {
            name: 'status',
            label: words.status,
            options: Object.fromEntries(
              SUBMISSION_STATUSES.filter((status) => status !== 'WAITING').map((status) => [
                status,
                words.statuses[status],
              ]),
            ),
            otherwise: words.statuses.WAITING,
          },
        ]}
      />
      <List
        label={words.title}
        queryKey={['manual payments', mode, filter]}
        get={(page) => api.GET('/admin/manual-payments', { params: { query: { mode, ...filter, ...page } } })}
        columns={[
          { name: words.amount, isNumber: true, cell: (one) => moneyOf(one, language) },
          { name: words.transaction, cell: ({ transaction }) => transaction },
          {
            name: words.payment,
            from: 'md',
            cell: (one) => <PaymentLink id={one.paymentId} reference={one.paymentReference} />,
          },
          { name: words.account, from: 'lg', cell: ({ storeId }) => storeId },
          { name: words.status, from: 'md', cell: ({ status }) => words.statuses[status] },
          { name: words.sent, from: 'lg', cell: ({ createdAt }) => <Instant at={createdAt} /> },
          { name: words.decide, cell: (one) => <Decisions manual={one} /> },
        ]}
        keyOf={({ id }) => id}
        empty={words.empty}
      />
    </Page>
  );
}

function Decisions({ manual }: { readonly manual: Manual }) {
  const words = useWords(MANUAL_WORDS);
  const { language } = useLanguage();
  const { status, decision, transaction } = manual;
  if (status !== 'WAITING') {
    return words.statuses[status];
  }
  const amount = moneyOf(manual, language);
  return (
    <Stack gap="xs">
      {decision?.awaitsSecondPerson === true && <Text size="sm">{words.waits[decision.decision]}</Text>}
      {/* The list needs payment:review itself. */}
      <Group gap="xs">
        {(['confirm', 'reject'] as const).map((wanted) => (
          <Act
            key={wanted}
            size="xs"
            label={words[wanted]}
            what={words[`${wanted}Act`](amount, transaction)}
            run={(form) =>
              dataOf(
                api.POST('/admin/manual-payments/{id}/decision', {
                  params: { path: { id: manual.id } },
                  body: { decision: wanted, reason: textOf(form, 'reason') },
                }),
              )
            }
            refresh={[['manual payments'], ['inbox']]}
          >
            {manual.claimedByOthers > 0 && (
              <Alert color="red">{words.claimedByOthers(countOf(manual.claimedByOthers, language))}</Alert>
            )}
            <Facts
              facts={[
                [words.amount, amount],
                [words.account, manual.storeId],
                [words.sender, manual.sender ?? '–'],
                [words.code, manual.code],
              ]}
            />
            <ReasonField label={words.reason} />
          </Act>
        ))}
      </Group>
    </Stack>
  );
}
