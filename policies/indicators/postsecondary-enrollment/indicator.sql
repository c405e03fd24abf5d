-- postsecondary-enrollment: one row for each completer of a class whose window had closed at the last search
SELECT person_id, cohort_year, district, outcome, 1 AS weight FROM college_going
