// Bytes as disks count them, as views/words.py says them: "512 bytes", "31 MB", "1.2 GB".
dfgui.bytes = (count) => {
  if (count < 1000) return `${count} bytes`;
  for (const unit of ["KB", "MB", "GB", "TB"]) {
    count /= 1000;
    if (count < 999.5 || unit === "TB") return `${count < 9.95 ? count.toFixed(1) : Math.round(count)} ${unit}`;
  }
};
