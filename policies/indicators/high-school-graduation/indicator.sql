-- high-school-graduation: one row for each member of the four-year adjusted cohort
SELECT person_id, cohort_year, district, outcome, 1 AS weight FROM graduation_cohort
