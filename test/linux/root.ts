/** Whether the parts that make namespaces and devices cannot run here. Tests that are skipped for it say so in their title. */
export const needsRoot = process.getuid?.() !== 0;
