import { Alert, Group, Stack, Text } from '@mantine/core';
import { api, dataOf, type Schemas } from '../api/client.ts';
import { Act } from '../parts/act.tsx';
import { textOf } from '../parts/form.tsx';
import { ReasonField } from '../parts/reason-field.tsx';
import { useMay } from '../session/session.tsx';
import { countOf } from '../words/format.ts';
import { useLanguage } from '../words/language.tsx';
import { useWords } from '../words/use-words.ts';
import { REFUND_REVIEW_WORDS } from './words.ts';

const DECISIONS = ['retry', 'refunded', 'not-refunded'] as const;

/** Deciding what became of a refund whose outcome at the gateway is unknown. */
export function ReviewPart({ refund: { id, review } }: { readonly refund: Schemas['Refund'] }) {
  const words = useWords(REFUND_REVIEW_WORDS);
  const { language } = useLanguage();
  const may = useMay();
  return review === null ? null : (
    <Alert color="orange" title={words.title}>
      <Stack>
        <Text>{words.why[review.reason]}</Text>
        {may('payment:review') && (
          <Group>
            {DECISIONS.map((decision) => (
              <Act
                key={decision}
                label={words[decision]}
                what={words.acts[decision](countOf(id, language))}
                run={(form) =>
                  dataOf(
                    api.POST('/admin/refunds/{id}/review', {
                      params: { path: { id } },
                      body: { decision, reason: textOf(form, 'reason') },
                    }),
                  )
                }
                refresh={[['refund', id.toString()], ['refunds'], ['inbox']]}
                done={({ decision: outcome }) => (outcome === 'awaiting-second-approval' ? words.waits : words.done)}
              >
                <Text>{words.look}</Text>
                <ReasonField label={words.reason} />
              </Act>
            ))}
          </Group>
        )}
      </Stack>
    </Alert>
  );
}
