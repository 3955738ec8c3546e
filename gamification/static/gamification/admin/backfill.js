// An open run without workers goes on while somebody looks at it, a moment at a time.
setTimeout(() => document.getElementById("gamification-go-on")?.requestSubmit(), 300);
