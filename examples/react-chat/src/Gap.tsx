/** Where messages are gone, the page says so. */
export function Gap({ lost }: { lost: number | null }) {
  return <li className="gap">{lost === null ? "Messages may be lost here" : lost === 1 ? "1 message lost" : `${lost} messages lost`}</li>;
}
