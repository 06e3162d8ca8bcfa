import { Button, Code, Group, Text } from '@mantine/core';
import { useState } from 'react';
import { useLanguage } from '../words/language.tsx';

/** A text to copy, such as a secret that is shown once. */
export function Copyable({ name, text }: { readonly name: string; readonly text: string }) {
  const { words } = useLanguage();
  const [isCopied, setIsCopied] = useState(false);
  return (
    <div>
      <Group justify="space-between" gap="xs" mb={4}>
        <Text size="sm" fw={600}>
          {name}
        </Text>
        <Button
          size="compact-xs"
          variant="default"
          aria-label={`${words.copy}: ${name}`}
          onClick={() => void navigator.clipboard.writeText(text).then(() => setIsCopied(true))}
        >
          {isCopied ? words.copied : words.copy}
        </Button>
      </Group>
      <Code block className="breaks raw">
        {text}
      </Code>
    </div>
  );
}
