import { Card, Group, Stack, Text, Title } from '@mantine/core';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Act } from '../parts/act.tsx';
import { textOf } from '../parts/form.tsx';
import { ReasonField } from '../parts/reason-field.tsx';
import { useMay } from '../session/session.tsx';
import { dayOf, moneyOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { refreshedBy } from './refreshed-by.ts';
import { CASE_WORDS } from './words.ts';

type Case = Schemas['ReconciliationCaseDetail'];

export function ProposalsPart({ found }: { readonly found: Case }) {
  const words = useWords(CASE_WORDS);
  const { language } = useLanguage();
  const may = useMay();
  const { proposals, reference, state } = found;
  return proposals.length === 0 ? null : (
    <Stack component="section" gap="xs">
      <Title order={2} size="h4">
        {words.proposals}
      </Title>
      <Text c="dimmed">{words.proposalsNote}</Text>
      {proposals.map(({ movement, reasons }) => (
        <Card key={movement.key} withBorder padding="sm">
          <Group justify="space-between">
            <Stack gap={0}>
              <Text className="breaks">{movement.refundReference ?? movement.attemptReference}</Text>
              <Text size="sm" c="dimmed">
                {[moneyOf(movement, language), dayOf(movement.happenedOn, language), ...reasons].join(' · ')}
              </Text>
            </Stack>
            {state !== 'RESOLVED' && may('reconciliation:manage') && (
              <Act
                size="xs"
                label={words.use}
                what={words.correctToAct(movement.refundReference ?? movement.attemptReference)}
                run={(form) =>
                  dataOf(
                    api.POST('/admin/reconciliation/cases/{reference}/actions', {
                      params: { path: { reference } },
                      body: { action: 'post-correction', movement: movement.key, reason: textOf(form, 'reason') },
                    }),
                  )
                }
                refresh={refreshedBy(reference)}
              >
                <ReasonField label={words.decisionReason} />
              </Act>
            )}
          </Group>
        </Card>
      ))}
    </Stack>
  );
}
