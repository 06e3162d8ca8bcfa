import { Text, Timeline } from '@mantine/core';
import type { Schemas } from '../api/client.ts';
import { Instant } from '../parts/instant.tsx';
import { useLanguage } from '../words/language.tsx';
import { detailInWords, eventInWords } from './event-words.ts';

export function TimelinePart({ timeline }: { readonly timeline: Schemas['Explanation']['timeline'] }) {
  const { language } = useLanguage();
  return (
    <Timeline active={timeline.length} bulletSize={16} lineWidth={2}>
      {timeline.map(({ at, event, detail }, index) => (
        <Timeline.Item key={`${at} ${event} ${index}`} title={eventInWords(event, language)}>
          {detail !== null && <Text className="breaks">{detailInWords(detail, language)}</Text>}
          <Text size="sm" c="dimmed">
            <Instant at={at} isExact />
          </Text>
        </Timeline.Item>
      ))}
    </Timeline>
  );
}
